-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.pool_list(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(to_jsonb(p) order by p.id), '[]') from pool_overview p);
end
$$;
