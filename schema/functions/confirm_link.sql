-- SPDX-License-Identifier: Apache-2.0
-- The job daemon has made a link for a letter that it is about to send.
create or replace function ve.confirm_link(p_mail bigint, p_confirmation bytea) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  insert into confirmation (token_hash, subscriber_id)
    select p_confirmation, confirms from mail
      where id = p_mail and confirms is not null and sent_at is null and failed_at is null
$$;
