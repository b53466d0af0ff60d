//! As much of ifstated.conf(5) as the shipped files use, read the way ifstated's own grammar does: a macro is the text of tokens
//! and looks up no other macro, `!` binds tighter than `&&` and `||`, those two bind alike and from the left, every action ends
//! with its line, and of several changes of state in one run the last counts.

use super::tokens::{Token, tokens};

#[derive(Debug)]
enum Expr {
    Test(String),
    Not(Box<Expr>),
    Both(Box<Expr>, Box<Expr>),
    Either(Box<Expr>, Box<Expr>),
}

#[derive(Debug)]
enum Action {
    Run(String),
    Go(String),
    If(Expr, Vec<Action>),
}

#[derive(Debug, Default)]
struct State {
    name: String,
    init: Vec<Action>,
    body: Vec<Action>,
}

/// A configuration.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) first: String,
    states: Vec<State>,
    commands: Vec<String>,
}

impl Machine {
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader {
            tokens: tokens(text),
            at: 0,
            commands: Vec::new(),
        };
        let mut machine = Self {
            first: String::new(),
            states: Vec::new(),
            commands: Vec::new(),
        };
        while reader.at < reader.tokens.len() {
            match reader.next() {
                Token::Line => continue,
                Token::Word(w) if w == "init-state" => machine.first = reader.word(),
                Token::Word(w) if w == "state" => machine.states.push(reader.state()),
                other => panic!("{other:?}"),
            }
            assert_eq!(reader.next(), Token::Line);
        }
        machine.commands = reader.commands;
        let names = machine.names();
        let known = |name: &str| assert!(names.contains(&name), "there is no state {name}");
        known(&machine.first);
        for state in &machine.states {
            targets(&state.body).into_iter().for_each(known);
        }
        machine
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.states.iter().map(|s| s.name.as_str()).collect()
    }

    /// The external tests, each once.
    pub(super) fn commands(self) -> Vec<String> {
        let mut commands = self.commands;
        commands.sort();
        commands.dedup();
        commands
    }

    fn state(&self, name: &str) -> &State {
        self.states.iter().find(|s| s.name == name).unwrap()
    }

    /// What a state runs when it is entered.
    pub(super) fn init(&self, name: &str) -> Vec<&str> {
        fn run(action: &Action) -> &str {
            match action {
                Action::Run(command) => command,
                other => panic!("{other:?}"),
            }
        }
        self.state(name).init.iter().map(run).collect()
    }

    /// The state after one run of the body.
    pub(super) fn step(&self, name: &str, is: impl Fn(&str) -> bool) -> String {
        let mut goes = name.to_owned();
        run(&self.state(name).body, &is, &mut goes);
        goes
    }
}

fn run(actions: &[Action], is: &dyn Fn(&str) -> bool, goes: &mut String) {
    for action in actions {
        match action {
            Action::Run(_) => {}
            Action::Go(to) => goes.clone_from(to),
            Action::If(expr, then) if truth(expr, is) => run(then, is, goes),
            Action::If(..) => {}
        }
    }
}

fn truth(expr: &Expr, is: &dyn Fn(&str) -> bool) -> bool {
    match expr {
        Expr::Test(test) => is(test),
        Expr::Not(a) => !truth(a, is),
        Expr::Both(a, b) => truth(a, is) && truth(b, is),
        Expr::Either(a, b) => truth(a, is) || truth(b, is),
    }
}

fn targets(actions: &[Action]) -> Vec<&str> {
    fn of(action: &Action) -> Vec<&str> {
        match action {
            Action::Go(to) => vec![to],
            Action::If(_, then) => targets(then),
            Action::Run(_) => Vec::new(),
        }
    }
    actions.iter().flat_map(of).collect()
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    commands: Vec<String>,
}

impl Reader {
    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn is(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> String {
        match self.next() {
            Token::Word(w) => w,
            other => panic!("{other:?} is no word"),
        }
    }

    fn lines(&mut self) {
        while self.is(&Token::Line) {}
    }

    fn state(&mut self) -> State {
        let mut state = State {
            name: self.word(),
            ..State::default()
        };
        self.lines();
        assert!(self.is(&Token::Sign('{')));
        self.lines();
        while !self.is(&Token::Sign('}')) {
            if self.is(&Token::Word("init".into())) {
                state.init = self.block();
            } else {
                let action = self.action();
                state.body.push(action);
            }
            assert_eq!(self.next(), Token::Line);
            self.lines();
        }
        state
    }

    /// One action, or several in braces.
    fn block(&mut self) -> Vec<Action> {
        self.lines();
        if !self.is(&Token::Sign('{')) {
            return vec![self.action()];
        }
        self.lines();
        let mut actions = Vec::new();
        while !self.is(&Token::Sign('}')) {
            actions.push(self.action());
            assert_eq!(self.next(), Token::Line);
            self.lines();
        }
        actions
    }

    fn action(&mut self) -> Action {
        match self.word().as_str() {
            "run" => match self.next() {
                Token::Text(command) => Action::Run(command),
                other => panic!("{other:?} is nothing to run"),
            },
            "set-state" => Action::Go(self.word()),
            "if" => {
                let expr = self.expr();
                Action::If(expr, self.block())
            }
            other => panic!("{other} is no action"),
        }
    }

    fn expr(&mut self) -> Expr {
        let mut left = self.term();
        loop {
            if self.is(&Token::Word("&&".into())) {
                left = Expr::Both(Box::new(left), Box::new(self.term()));
            } else if self.is(&Token::Word("||".into())) {
                left = Expr::Either(Box::new(left), Box::new(self.term()));
            } else {
                return left;
            }
        }
    }

    fn term(&mut self) -> Expr {
        match self.next() {
            Token::Sign('!') => Expr::Not(Box::new(self.term())),
            Token::Sign('(') => {
                let inner = self.expr();
                assert!(self.is(&Token::Sign(')')));
                inner
            }
            Token::Text(command) => {
                assert_eq!(self.word(), "every");
                let seconds: u32 = self.word().parse().unwrap();
                assert!(seconds > 0);
                self.commands.push(command.clone());
                Expr::Test(command)
            }
            Token::Word(test) => Expr::Test(test),
            other => panic!("{other:?} is no test"),
        }
    }
}
