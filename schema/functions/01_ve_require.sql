-- SPDX-License-Identifier: Apache-2.0
-- The VE that a session may act on: its own, or any for an operator.
create or replace function ve.ve_require(p_token bytea, p_veid integer) returns ve.ve
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  select * into v from ve where veid = p_veid and deleted_at is null
    and (subscriber_id = who.subscriber_id or who.operator)
    for update;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  return v;
end
$$;
