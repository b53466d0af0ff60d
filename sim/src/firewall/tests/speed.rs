//! A figure, not a check: packets through a node on one core.
//! `cargo test --release -p pf-sim -- --ignored --nocapture speed`

use super::*;
use flags::{ACK, SYN};
use std::hint::black_box;

#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut a = node(System::OpenBsd, 1);
    let flows = 5000_u16;
    for n in 0..flows {
        let client = crate::site::client(usize::from(n));
        let syn = tcp(client, SERVER, segment([1, 443], SYN, 1000, 0, 0));
        let answer = tcp(SERVER, client, segment([443, 1], SYN | ACK, 9000, 1001, 0));
        forward(&mut a, ms(0), Side::Inside, syn);
        forward(&mut a, ms(0), Side::Outside, answer);
    }
    run(&mut a, ms(1000));
    let (mut passed, mut frames) = (0_u64, 0_u64);
    for round in 0..400_u32 {
        let now = ms(2000 + u64::from(round) * 50);
        a.advance(now);
        for n in 0..flows {
            let client = crate::site::client(usize::from(n));
            let data = tcp(client, SERVER, segment([1, 443], ACK, 1001 + round, 9001, 1));
            passed += u64::from(black_box(forward(&mut a, now, Side::Inside, data)).is_some());
            while black_box(a.poll()).is_some() {
                frames += 1;
            }
        }
    }
    assert_eq!(passed, 400 * u64::from(flows));
    assert!(frames > 0);
}
