-- SPDX-License-Identifier: Apache-2.0
-- The same for whoever installs (role ve_admin), with a key that is known
-- already; called again it brings address, key and capacity up to date.
create or replace function ve.node_install(p_id text, p_url text, p_grant_key text,
  p_capacity integer) returns void
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
begin
  insert into node (id, url, grant_key, capacity)
    values (p_id, p_url, decode(p_grant_key, 'hex'), p_capacity)
  on conflict (id) do update set url = excluded.url, grant_key = excluded.grant_key,
    capacity = excluded.capacity;
  perform audit_add('installation', 'node.enrol', null, null,
    jsonb_build_object('node', p_id, 'url', p_url, 'capacity', p_capacity));
end
$$;
