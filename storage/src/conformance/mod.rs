//! The suite every engine must pass, the same assertions for each.
//!
//! [`conformance!`](crate::conformance!) makes one `#[tokio::test]` of every function here for an engine:
//!
//! ```ignore
//! plinto_storage::conformance!(embedded_memory, make_engine);
//! ```
//!
//! `make_engine` is an `async fn() -> Subject` that gives a new, empty engine.

#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod api_keys;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod authorization;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod authorizations;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod clients;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod flags;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod invitations;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod isolation;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod keys;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod ledger;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod mail;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod one_time;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod organizations;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod policies;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod rows;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod session_organizations;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod sessions;
mod subject;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod tenants;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod user_imports;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod user_invitations;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod writes;

pub use subject::{Fixture, MASTER, NOW, SeededEntropy, Subject, entry, master};

/// Instantiates every test of the suite for one engine, in a module of the given name.
#[macro_export]
macro_rules! conformance {
    ($engine:ident, $make:path) => {
        mod $engine {
            use super::*;
            $crate::conformance!(@test $make,
                api_keys: keys_round_trip, keys_are_renamed_and_rotated_once_per_version,
                    uses_are_noted_once_in_a_while, the_last_platform_key_stays,
                    a_service_account_rules_over_its_keys;
                authorization: roles_round_trip, the_set_of_roles_advances_once_per_version, grants_round_trip,
                    the_same_is_granted_once_until_it_expires, a_granted_role_cannot_be_removed;
                authorizations: authorizations_round_trip, authorizations_advance_once_per_version,
                    an_ended_authorization_stays_ended, what_has_expired_is_swept, client_consents_round_trip,
                    a_proof_is_used_once_until_it_is_swept;
                clients: clients_round_trip, clients_change_once_per_version;
                flags: flags_round_trip, flags_change_once_per_version;
                invitations: invitations_round_trip, one_invitation_of_an_address_is_pending,
                    an_invitation_ends_once_per_version, invitations_are_listed_by_what_became_of_them,
                    invitations_are_found_by_address_and_go_with_it, domains_round_trip,
                    a_verified_domain_is_one_organizations, a_domain_admits_who_neither_is_nor_was_a_member,
                    members_are_listed_as_users;
                isolation: another_tenants_id_is_refused, a_user_of_one_tenant_is_unknown_to_another,
                    a_row_copied_to_another_tenant_does_not_open, a_sealed_column_moved_to_another_row_does_not_open,
                    one_address_may_be_used_in_two_tenants;
                keys: rotation_keeps_older_rows_readable, rotation_keeps_addresses_findable,
                    another_node_loads_a_version_it_does_not_know, a_wrong_master_key_is_refused,
                    destroyed_keys_make_a_tenant_unreadable, one_vault_is_shared_by_all_holders,
                    the_platform_rotates_too;
                ledger: the_chain_goes_on_across_batches, concurrent_commits_make_one_chain,
                    a_refused_unit_leaves_no_gap, pages_are_in_order, changes_are_found_after_a_cursor,
                    entries_are_looked_for_by_whom_about_what_and_when, a_pruned_ledger_begins_at_its_checkpoint,
                    an_export_verifies_and_names_what_was_altered,
                    tenant_changes_are_audited_by_the_platform, a_unit_without_entries_appends_nothing;
                organizations: organizations_round_trip, organizations_change_once_per_version,
                    of_two_owners_one_stays_whatever_happens_at_once, an_organization_goes_with_its_members;
                policies: policy_versions_round_trip, the_set_of_policies_changes_once_per_version;
                rows: what_is_not_there_is_none, users_round_trip, users_are_found_by_what_only_they_have,
                    users_are_listed_by_state, users_are_found_by_beginnings, a_purged_user_leaves_nothing, addresses_round_trip, addresses_change, credentials_round_trip,
                    former_passwords_are_kept_as_many_as_wanted, avatars_round_trip,
                    sessions_round_trip, sessions_rotate_once_per_version, sessions_are_revoked_once,
                    sessions_are_listed_newest_first, signing_keys_round_trip,
                    sign_in_reads_everything_at_once, answers_are_kept_until_they_expire,
                    legal_holds_stand_in_the_way, consents_round_trip, everything_of_a_user_is_erased_at_once;
                mail: mails_round_trip, a_mail_is_claimed_once_per_version, what_is_said_once_is_said_once,
                    finished_mails_are_forgotten;
                one_time: one_time_tokens_round_trip, a_one_time_token_is_used_once,
                    what_is_left_of_a_user_is_withdrawn_and_the_expired_removed;
                session_organizations: a_session_enters_while_its_user_is_a_member_and_the_policy_the_same,
                    a_session_begins_in_an_organization_or_not_at_all, sessions_leave_with_the_membership,
                    sessions_leave_an_organization_that_goes, a_new_role_is_that_of_the_sessions_too,
                    candidates_are_found_by_id_and_slug_by_members_only, a_policy_is_set_once_per_version;
                sessions: live_sessions_are_those_neither_revoked_nor_over,
                    a_session_is_seen_ever_later_and_its_version_stays,
                    a_user_at_the_limit_begins_no_session_more, a_session_reauthenticates_at_its_version;
                tenants: a_tenant_is_found_by_id_and_slug, tenants_are_listed_in_pages, a_slug_is_unique_until_freed,
                    a_refused_tenant_leaves_no_storage, settings_are_fenced_by_version,
                    an_interrupted_deletion_is_finished_at_the_next_start, an_unknown_tenant_is_refused,
                    creating_and_destroying_storage_is_idempotent;
                user_imports: imports_round_trip, imports_advance_once_per_version,
                    errors_are_in_order_of_lines_and_forgotten_with_their_import,
                    values_that_are_taken_are_found_among_many,
                    addresses_and_credentials_of_many_users_are_read_at_once;
                user_invitations: user_invitations_round_trip,
                    a_user_invitation_is_accepted_once_and_a_new_one_replaces_the_last;
                writes: a_duplicate_is_named, a_conflict_is_named_and_leaves_no_trace,
                    a_failing_unit_does_not_fail_its_neighbours, a_reference_to_nothing_is_invalid,
                    a_nul_byte_is_invalid_everywhere, an_empty_batch_is_nothing, a_write_given_to_read_is_refused,
                    transactions_are_counted_by_name, a_closed_engine_says_so, strange_text_is_kept_as_it_is;
            );
        }
    };
    (@test $make:path, $($group:ident: $($test:ident),+;)+) => {
        $(mod $group {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let fixture = $crate::conformance::Fixture::new($make().await).await;
                $crate::conformance::$group::$test(&fixture).await;
            })+
        })+
    };
}
