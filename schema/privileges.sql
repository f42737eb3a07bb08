-- SPDX-License-Identifier: Apache-2.0
-- Who may call what.  Nothing is given on tables; what stands in no list here can
-- be called by the owner's own functions only.
alter default privileges for role ve_owner revoke execute on functions from public;
revoke all on all tables in schema ve, ve_meta from public, ve_portal, ve_jobd, ve_signer, ve_gateway, ve_admin;
revoke all on all sequences in schema ve from public, ve_portal, ve_jobd, ve_signer, ve_gateway, ve_admin;
revoke all on all functions in schema ve from public, ve_portal, ve_jobd, ve_signer, ve_gateway, ve_admin;
revoke all on schema ve, ext from public;
grant usage on schema ve to ve_portal, ve_jobd, ve_signer, ve_gateway, ve_admin;

do $$
declare
  may constant jsonb := '{
    "ve_portal": ["account_admit", "account_signup", "account_lookup", "account_login",
      "account_rehash", "account_confirm", "account_confirm_ask", "session_get", "session_end", "session_check", "home_get", "queue_leave", "line_look", "ve_visit", "port_grant", "ve_rename",
      "template_list", "ve_get", "ve_create", "ve_act", "ve_extend", "ve_keep", "keep_take", "job_get", "key_add",
      "key_remove", "ticket_create", "ticket_redeem", "terminal_grant", "capacity_get",
      "node_list", "node_act", "enrolment_make", "enrolment_ask", "enrolment_take", "pool_list", "pool_add", "ve_list", "subscriber_list",
      "audit_list", "plan_list", "plan_get", "plan_save", "ve_plan", "usage_get", "subscriber_suspend", "subscriber_unsuspend"],
    "ve_jobd": ["drive_list", "job_claim", "job_claim_urgent", "job_keep", "job_again", "job_finish", "node_fact",
      "ve_observe", "block_sync", "block_renew", "block_report", "trial_run", "ladder_run", "queue_run", "block_spare", "block_return", "mail_claim",
      "mail_finish", "confirm_link", "keep_link", "dns_due", "dns_done", "sweep_run", "capacity_get", "usage_due", "usage_take", "refusal_add", "refusal_last"],
    "ve_signer": ["sign_claim", "sign_finish"],
    "ve_gateway": ["key_lookup", "gateway_grant"],
    "ve_admin": ["operator_create", "node_install", "pool_install", "audit_verify"]
  }';
  r text;
  f text;
begin
  for r, f in select k, jsonb_array_elements_text(may -> k) from jsonb_object_keys(may) k loop
    execute format('grant execute on function %s to %I',
      (select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 've'::regnamespace and p.proname = f), r);
  end loop;
end
$$;
