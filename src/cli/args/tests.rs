use super::*;
use clap::CommandFactory;

#[test]
fn arguments_are_consistent() {
    Args::command().debug_assert();
}

#[test]
fn short_help_fits_79_columns() {
    let mut command = Args::command();
    command.build();
    for subcommand in std::iter::once(&mut command.clone()).chain(command.get_subcommands_mut()) {
        let help = subcommand.render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 79, "{line}");
        }
    }
}

#[test]
fn probabilities_lie_between_0_and_1() {
    assert_eq!(probability("0.5"), Ok(0.5));
    for bad in ["-0.1", "1.1", "NaN", "half", ""] {
        assert!(probability(bad).is_err(), "{bad}");
    }
}

#[cfg(feature = "train")]
#[test]
fn options_out_of_their_range_are_refused() {
    assert_eq!((share("0.005"), difference("0")), (Ok(0.005), Ok(0.0)));
    assert!(["0", "1", "-0.1", "2", "NaN", "inf", "x"].iter().all(|text| share(text).is_err()));
    assert!(["-1", "1", "NaN", "inf", ""].iter().all(|text| difference(text).is_err()));
}
