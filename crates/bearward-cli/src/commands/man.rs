//! `bearward man`: the manual, made from the same definition as `--help`.

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory as _, builder::Resettable::Reset};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{
    commands::args::{Args, ManArgs},
    terminal::{failure::Failure, output},
};

pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    // As in `completions`: without values from `.env`.
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.out else {
        let page = page(command)
            .map_err(|error| Failure::undecided(format!("the manual page can't be made: {error}.")))?;
        return output::body(&page.text);
    };
    write_pages(command, folder)
        .map_err(|error| Failure::usage(format!("can't write to {}: {error}.", folder.display())))
}

/// A page for the command, and one for each below it.
fn write_pages(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for command in command.get_subcommands() {
        write_pages(command.clone(), folder)?;
    }
    let page = page(command)?;
    fs::write(folder.join(page.name), page.text)
}

struct Page {
    name: String,
    text: Vec<u8>,
}

fn page(command: Command) -> io::Result<Page> {
    let more = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    // The text after the options keeps its lines: the crate would join them to paragraphs.
    let man = Man::new(command.after_help(Reset).after_long_help(Reset));
    let man = man.source(concat!("bearward ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut sections = Roff::new();
    for paragraph in more.unwrap_or_default().split("\n\n") {
        section(&mut sections, paragraph);
    }
    sections.to_writer(&mut text)?;
    Ok(Page { name: man.get_filename(), text })
}

/// A paragraph that begins with `What it is:` is a section with that heading.
fn section(roff: &mut Roff, paragraph: &str) {
    let split = paragraph.split_once(":\n").or_else(|| paragraph.split_once(": "));
    let (heading, lines) = split.unwrap_or(("Notes", paragraph));
    roff.control("SH", [heading]).control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
