use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, and create the folder if it is missing
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  bearward man | man -l -
  bearward man --out ~/.local/share/man/man1 && man bearward-token";
