use crate::extract::{JsonBody, ManagedTenant, NamedTenant};
use crate::guard::Bearer;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::State;
use axum::{Extension, Json};
use plinto_actors::{FlagEvaluation, FlagQuestion, Served, ServiceError};
use plinto_domain::InvalidInput;
use plinto_domain::flag::{MOST_FLAGS, Reason};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longest id of a subject in bytes.
const LONGEST_SUBJECT: usize = 256;

/// Whose values are asked for, and which.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluateBody {
    /// An id: of a user or a service account, whose organizations, roles and attributes rules then see, or whatever else
    /// you count subjects by. At most 256 bytes.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    subject: Option<String>,
    /// What you know of the circumstances; rules see it as `context.…`.
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// Keys of the flags, at most 500; all flags if left out.
    flags: Option<Vec<String>>,
}

/// What a flag is for somebody. The words are those of OpenFeature.
#[derive(Serialize, ToSchema)]
pub(crate) struct Evaluation {
    /// Key of the flag.
    #[schema(example = "new-checkout")]
    flag: String,
    #[serde(flatten)]
    served: Resolution,
}

/// A value and why it is that.
#[derive(Serialize, ToSchema)]
#[schema(as = FlagResolution)]
pub(crate) struct Resolution {
    /// The value; `null` if there is no such flag.
    #[schema(value_type = Value)]
    value: Value,
    /// Name of the variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    /// `TARGETING_MATCH`: the conditions of a rule hold. `SPLIT`: they do, and the subject is in a share. `DEFAULT`: no
    /// rule serves. `DISABLED`: the flag is not enabled. `ERROR`: see `error_code`.
    #[schema(example = "TARGETING_MATCH")]
    reason: &'static str,
    /// `FLAG_NOT_FOUND`, or `TARGETING_KEY_MISSING` where shares need a subject and none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    /// Version of the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

impl From<Option<Served>> for Resolution {
    fn from(served: Option<Served>) -> Self {
        let Some(Served { variant, value, reason, version }) = served else {
            let error_code = Some("FLAG_NOT_FOUND");
            return Self { value: Value::Null, variant: None, reason: "ERROR", error_code, version: None };
        };
        let (reason, error_code) = match reason {
            Reason::TargetingMatch => ("TARGETING_MATCH", None),
            Reason::Split => ("SPLIT", None),
            Reason::Default => ("DEFAULT", None),
            Reason::Disabled => ("DISABLED", None),
            Reason::TargetingKeyMissing => ("ERROR", Some("TARGETING_KEY_MISSING")),
        };
        Self { value, variant: Some(variant), reason, error_code, version: Some(version) }
    }
}

/// What flags are for somebody.
#[derive(Serialize, ToSchema)]
#[schema(as = FlagEvaluations)]
pub(crate) struct Evaluations {
    /// In the order asked for, or of their keys.
    evaluations: Vec<Evaluation>,
}

/// What are flags for somebody?
///
/// Who is in a share can be computed by anybody: the first eight bytes of SHA-256 of `{flag}/{subject}`, as a number with
/// the most significant byte first, modulo 10000, is less than the share's end in hundredths of a percent.
#[utoipa::path(post, path = "/v1/flags/evaluate", tag = "flags", request_body = EvaluateBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Evaluations), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn evaluate(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    JsonBody(body): JsonBody<EvaluateBody>,
) -> Result<Json<Evaluations>, Problem> {
    let mut errors = Vec::new();
    if body.subject.as_ref().is_some_and(|subject| !(1..=LONGEST_SUBJECT).contains(&subject.len())) {
        errors.push(InvalidInput::new("subject", "invalid_subject", "a subject has 1 to 256 bytes"));
    }
    if body.flags.as_ref().is_some_and(|flags| flags.len() > MOST_FLAGS) {
        errors.push(InvalidInput::new("flags", "too_many_flags", "ask for at most 500 flags"));
    }
    if !errors.is_empty() {
        return Err(ServiceError::from(errors).into());
    }
    let question = FlagQuestion {
        subject: body.subject.as_deref(),
        context: body.context.as_ref(),
        flags: body.flags.as_deref(),
    };
    let evaluated = state.platform().evaluate_flags(tenant, question, state.deadline()).await?.into_iter();
    let show = |FlagEvaluation { flag, served }| Evaluation { flag, served: served.into() };
    Ok(Json(Evaluations { evaluations: evaluated.map(show).collect() }))
}

/// Values of the flags by key.
#[derive(Serialize, ToSchema)]
pub(crate) struct MyFlags {
    /// By key; those that are for servers only are not among them.
    flags: BTreeMap<String, Resolution>,
}

/// What flags are for the signed-in user.
#[utoipa::path(get, path = "/v1/users/me/flags", tag = "flags", security(("access_token" = [])),
    responses((status = 200, body = MyFlags), (status = 401, body = Problem)))]
pub(crate) async fn mine(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Extension(Bearer(token)): Extension<Bearer>,
) -> Result<Json<MyFlags>, Problem> {
    let tenant = tenant.or_of_token(&token, &state).await?;
    let evaluated = state.platform().my_flags(tenant, &token, state.deadline()).await?.into_iter();
    let flags = evaluated.map(|FlagEvaluation { flag, served }| (flag, served.into())).collect();
    Ok(Json(MyFlags { flags }))
}
