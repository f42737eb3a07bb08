-- SPDX-License-Identifier: Apache-2.0
-- Asked before the costly work of a sign-up: 'ok', 'taken', 'limited' or
-- 'full'.  Counts the attempt; never raises, so that the count stays.
create or replace function ve.account_admit(p_email text, p_address inet) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v text := 'ok';
begin
  if not rate_take('signup', network_of(p_address)::text) then
    v := 'limited';
  elsif exists (select from subscriber where email = p_email) then
    v := 'taken';
  elsif not exists (select from node where state = 'active' and placed < capacity
      and seen_at > now() - interval '60 seconds') then
    v := 'full';
  end if;
  return to_jsonb(v);
end
$$;
