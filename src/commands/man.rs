//! `completions` and `man`: generated from the definitions of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;
use hivemend::cli::{Cli, CompletionsArgs, ManArgs};
use hivemend::error::Error;
use hivemend::nearest::nearest;

use super::to_stdout;

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<u8, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hivemend", &mut text);
    to_stdout(|out| out.write_all(&text))
}

/// Prints one man page, or writes all of them into a folder.
pub(crate) fn man(args: &ManArgs) -> Result<u8, Error> {
    // After this, each page knows the full name of its command.
    let mut program = Cli::command();
    program.build();
    if let Some(folder) = &args.dir {
        return write_all(&program, folder, args.overwrite);
    }
    let mut command = &program;
    for word in &args.page {
        command = command.find_subcommand(word).ok_or_else(|| {
            let near = nearest(word, command.get_subcommands().map(clap::Command::get_name));
            let near = near.map(|near| format!("Did you mean {near:?}? ")).unwrap_or_default();
            Error::Usage { option: "man", found: word.clone(), expected: format!("{near}See `hivemend --help`") }
        })?;
    }
    let page = page_of(command)?;
    to_stdout(|out| out.write_all(&page))
}

fn page_of(command: &clap::Command) -> Result<Vec<u8>, Error> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    Man::new(command.clone())
        .title(name)
        .manual("hivemend")
        // No build date: the same source gives the same pages.
        .date("")
        .render(&mut page)
        .map_err(|source| Error::Write { path: "man page".to_owned(), source })?;
    Ok(page)
}

fn write_all(program: &clap::Command, folder: &Path, overwrite: bool) -> Result<u8, Error> {
    let failed = |source| Error::Write { path: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut waiting = vec![program];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|command| command.get_name() != "help"));
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = folder.join(format!("{name}.1"));
        if path.symlink_metadata().is_ok() && !overwrite {
            return Err(Error::Refused {
                reason: format!("{}: exists", path.display()),
                advice: "Name another folder, or add --overwrite".to_owned(),
            });
        }
        let page = page_of(command)?;
        std::fs::write(&path, page).map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    }
    Ok(0)
}
