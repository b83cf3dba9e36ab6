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
    let (jwks, options) = (args.jwks.clone(), args.timeout.http_options());
    let question = Question::checked(args)?;
    let documents = Documents::of(jwks.as_deref(), &question.issuers, options)?;
    let settled = documents.settle(&question).await?;
    let report = Report::of(&question, &settled);
    if json {
        output::json(&json::document(&report))?;
    } else {
        output::data(report.to_string().trim_end())?;
    }
    Ok(report.verdict.exit_code())
}
