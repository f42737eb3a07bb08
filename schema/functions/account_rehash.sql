-- SPDX-License-Identifier: Apache-2.0
-- A password hash with today's parameters in the place of an older one.
create or replace function ve.account_rehash(p_subscriber bigint, p_old text, p_new text)
  returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  update credential set password_hash = p_new
    where subscriber_id = p_subscriber and password_hash = p_old
$$;
