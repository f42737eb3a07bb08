-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.mail_finish(p_mail bigint, p_error text) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  update mail set error = left(p_error, 500),
    sent_at = case when p_error is null then now() end where id = p_mail
$$;
