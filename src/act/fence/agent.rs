//! Fence agents of ClusterLabs: options as key=value lines on the standard input, exit code 0 for a success.
//!
//! `off` alone is not believed: an agent's exit code says that the device took the order. `status` then has to say off,
//! which by the agents' interface is exit code 2 (0 is on, anything else is an error).

use super::super::run::{End, Run};
use super::options::Options;
use super::{Step, device, job};
use crate::config::model::Fence;

/// What an agent's `status` exits with when the plug is off.
const IS_OFF: i32 = 2;

/// Asks for the status alone.
pub(super) fn look(run: &mut dyn Run, fence: &Fence) -> Result<String, String> {
    let options = Options::read(fence.options_file.as_deref()).map_err(|e| e.to_string())?;
    let done = run.run(&job(fence, &[], options.with_action("status"))?);
    let (name, node) = (device(fence), &fence.node);
    match done.end {
        End::Exit(0) => Ok(format!("{name} answers that {node} is on")),
        End::Exit(IS_OFF) => Err(format!(
            "{name} answers that {node} is off; does it name the right plug?"
        )),
        other => Err(format!(
            "status of {name} failed ({other}); try it by hand with the same options"
        )),
    }
}

/// Switches it off and asks whether it is; why not, if not.
pub(super) fn switch_off(
    run: &mut dyn Run,
    fence: &Fence,
    env: &[(String, String)],
    steps: &mut Vec<Step>,
) -> Result<(), String> {
    let options = Options::read(fence.options_file.as_deref()).map_err(|e| e.to_string())?;
    let mut ask = |what: &'static str| -> Result<End, String> {
        let done = run.run(&job(fence, env, options.with_action(what))?);
        let end = done.end.clone();
        steps.push(Step { what, done });
        Ok(end)
    };
    let name = device(fence);
    let off = ask("off")?;
    if !off.ok() {
        return Err(format!("action off of {name} failed ({off})"));
    }
    match ask("status")? {
        End::Exit(IS_OFF) => Ok(()),
        End::Exit(0) => Err(format!(
            "{name} did what it could, and its status says on; does it name the right plug?"
        )),
        other => Err(format!(
            "{name} did what it could, and its status is not known ({other})"
        )),
    }
}
