//! `bearward explain`: shows every check of a token and its proof, and what to do about the first that fails.

mod documents;
mod facts;
mod human;
mod json;
mod mistakes;
mod pasted;
mod question;
mod report;
mod when;

use std::process::ExitCode;

use self::{documents::Documents, question::Question, report::Report};
use crate::{
    commands::args::ExplainArgs,
    terminal::{failure::Failure, output},
};

pub(crate) async fn run(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let json = args.json;
    let documents = Documents::of(args.jwks.as_deref(), args.timeout.http_options())?;
    let question = Question::checked(args)?;
    let scopes: Vec<&str> = question.scopes.iter().map(String::as_str).collect();
    let verifier = question.verifier();
    let settled = documents.settle(&verifier, &question.request(), &scopes, question.now).await?;
    let report = Report::of(&question, &settled, &verifier);
    if json {
        output::json(&json::document(&report))?;
    } else {
        output::data(report.to_string().trim_end())?;
    }
    Ok(report.verdict.exit_code())
}
