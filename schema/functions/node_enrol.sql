-- SPDX-License-Identifier: Apache-2.0
-- A new node.  The grant key is shown this once: it goes into the node's own
-- configuration and nowhere else.
create or replace function ve.node_enrol(p_token bytea, p_id text, p_url text, p_capacity integer)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  who record;
  k bytea := gen_random_bytes(32);
begin
  select * into who from session_require(p_token, true);
  insert into node (id, url, grant_key, capacity) values (p_id, p_url, k, p_capacity);
  perform audit_add(who.email, 'node.enrol', null, null,
    jsonb_build_object('node', p_id, 'url', p_url, 'capacity', p_capacity));
  perform pg_notify('ve_job', p_id);
  return jsonb_build_object('id', p_id, 'grant_key', encode(k, 'hex'));
exception
  when unique_violation then
    raise exception using errcode = 'VE018', message = 'there is a node of this name or address already';
  when check_violation then
    raise exception using errcode = 'VE017', message = 'name, address or capacity of the node is not valid';
end
$$;
