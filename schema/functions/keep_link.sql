-- SPDX-License-Identifier: Apache-2.0
-- The job daemon has made a link for a warning that it is about to send.
create or replace function ve.keep_link(p_mail bigint, p_keep bytea) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  insert into keep (token_hash, veid)
    select p_keep, keeps from mail
      where id = p_mail and keeps is not null and sent_at is null and failed_at is null
$$;
