//! Completions and manual pages.

use std::{fs, process::Stdio};

use crate::support::{bearward, finish, finish_with_stdin};

#[test]
fn each_shell_gets_a_script_that_knows_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = finish(bearward(folder.path(), &["completions", shell]));
        assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""), "{shell}");
        for part in ["issuer", "token", "call", "doctor", "client-secret"] {
            assert!(script.stdout.contains(part), "{part} for {shell}");
        }
    }
    assert_eq!(finish(bearward(folder.path(), &["completions", "cmd"])).code, Some(2));
}

#[test]
fn bash_takes_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = finish(bearward(folder.path(), &["completions", "bash"])).stdout;
    let mut bash = std::process::Command::new("bash");
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    bash.arg("-s");
    let words =
        "COMP_WORDS=(bearward token --cl); COMP_CWORD=2; _bearward bearward --cl token; echo ${COMPREPLY[@]}";
    let finished = finish_with_stdin(bash, &format!("{script}\n{words}\n"));
    assert_eq!(finished.stdout, "--client-id --client-secret --claim\n", "{}", finished.stderr);
}

#[test]
fn there_is_a_page_for_each_command_and_an_example_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let written = finish(bearward(folder.path(), &["man", "--out", "share/man1"]));
    assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (Some(0), "", ""));
    let pages = folder.path().join("share/man1");
    let mut names: Vec<String> = Vec::new();
    for page in fs::read_dir(&pages).unwrap() {
        let page = page.unwrap();
        let text = fs::read_to_string(page.path()).unwrap();
        assert!(text.starts_with(".ie") && text.contains(".SH Examples\n.nf\n  "), "{text}");
        names.push(page.file_name().into_string().unwrap());
    }
    for name in ["bearward.1", "bearward-token.1", "bearward-man.1"] {
        assert!(names.iter().any(|written| written == name), "{name} in {names:?}");
    }
    let main = finish(bearward(folder.path(), &["man"])).stdout;
    assert_eq!(main, fs::read_to_string(pages.join("bearward.1")).unwrap());
    assert!(main.contains(".SH \"Exit codes\"\n"));
}

#[test]
fn pages_that_can_t_be_written_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let finished = finish(bearward(folder.path(), &["man", "--out", "file"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.starts_with("error: can't write to file: "), "{}", finished.stderr);
}

#[test]
fn secrets_of_the_environment_and_the_file_are_in_neither() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "AUTH0_CLIENT_SECRET=hush\nAUTH0_DOMAIN=hush.example.com\n")
        .unwrap();
    for args in [["completions", "bash"].as_slice(), &["man"]] {
        let mut command = bearward(folder.path(), args);
        command.env("BEARWARD_TOKEN", "hush");
        let printed = finish(command);
        assert_eq!(printed.code, Some(0));
        assert!(!printed.stdout.contains("hush"));
    }
}

#[test]
fn a_closed_stdout_prints_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bearward(folder.path(), &["completions", "bash"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let finished = finish(command);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(3), ""));
}
