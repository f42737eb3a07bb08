-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.node_list(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(to_jsonb(n) order by n.id), '[]') from node_overview n
    where n.state <> 'revoked' or n.lost > 0 or n.blocks > 0);
end
$$;
