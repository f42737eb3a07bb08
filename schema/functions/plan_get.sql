-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.plan_get(p_token bytea, p_name text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  p plan;
begin
  perform session_require(p_token, true);
  select * into p from plan where name = p_name;
  if not found then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_name);
  end if;
  return plan_json(p);
end
$$;
