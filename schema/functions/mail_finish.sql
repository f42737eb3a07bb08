-- SPDX-License-Identifier: Apache-2.0
-- How it went: p_error is null when the letter was taken.  One that was refused
-- for good, or twelve times in some two days, is given up.
create or replace function ve.mail_finish(p_mail bigint, p_error text, p_final boolean) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  update mail set error = left(p_error, 500),
      sent_at = case when p_error is null then now() end,
      failed_at = case when p_error is not null and (p_final or attempts >= 12) then now() end
    where id = p_mail
$$;
