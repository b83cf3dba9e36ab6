#[derive(clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  bearward completions bash > ~/.local/share/bash-completion/completions/bearward
  bearward completions zsh > ~/.zfunc/_bearward          (with fpath+=~/.zfunc before compinit in ~/.zshrc)
  bearward completions fish > ~/.config/fish/completions/bearward.fish
  bearward completions powershell >> $PROFILE";
