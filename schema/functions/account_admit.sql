-- SPDX-License-Identifier: Apache-2.0
-- Asked before the costly work of a sign-up: 'ok', 'taken', 'limited' or
-- 'full' (nobody can wait in a line of ten thousand).  Counts the attempt; never
-- raises, so that the count stays.
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
  elsif (select count(*) from queue) >= 10000 then
    v := 'full';
  end if;
  return to_jsonb(v);
end
$$;
