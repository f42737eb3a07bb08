-- SPDX-License-Identifier: Apache-2.0
-- Forgets what is of no use any more.
create or replace function ve.sweep_run() returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  delete from ticket where expires_at <= now();
  delete from session where coalesce(ended_at, expires_at) < now() - interval '1 day'
    and not exists (select from ticket t where t.session_id = session.id);
  delete from rate where since < now() - interval '1 day';
  delete from job where finished_at < now() - interval '30 days';
  delete from mail where coalesce(sent_at, failed_at) < now() - interval '30 days';
  delete from enrolment where expires_at <= now();
  delete from usage_now u using ve v where v.veid = u.veid and v.deleted_at is not null;
  delete from usage_sample u using ve v where v.veid = u.veid and (v.deleted_at is not null or u.at < now() - interval '2 hours');
  delete from refusal r using ve v where v.veid = r.veid and v.deleted_at is not null;
  delete from confirmation where expires_at <= now();
  delete from keep where expires_at <= now();
  delete from lease where upper(during) < now() - interval '90 days';
$$;
