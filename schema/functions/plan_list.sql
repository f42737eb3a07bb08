-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.plan_list(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(plan_json(p) order by p.memory_bytes, p.name), '[]') from plan p);
end
$$;
