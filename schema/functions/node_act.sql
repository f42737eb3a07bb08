-- SPDX-License-Identifier: Apache-2.0
-- drain: nothing new goes there.  activate: again.  revoke: for ever.  Nobody
-- speaks with a revoked node; its environments are lost, and its blocks come back
-- when their terms are over, by which time it has let go of them itself.
create or replace function ve.node_act(p_token bytea, p_id text, p_action text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  n node;
begin
  select * into who from session_require(p_token, true);
  if p_action not in ('drain', 'activate', 'revoke') then
    raise exception using errcode = 'VE017', message = 'there is no such action';
  end if;
  update node set state = case p_action when 'drain' then 'draining' when 'activate' then 'active'
      else 'revoked' end::node_state, revoked_at = case p_action when 'revoke' then now() end
    where id = p_id and state <> 'revoked' returning * into n;
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such node, or it is revoked';
  end if;
  if p_action = 'revoke' then
    update job set state = 'failed', error = 'the node was revoked', finished_at = now()
      where node_id = p_id and state in ('queued', 'running');
    perform pg_notify('ve_end', 've ' || veid || ' gone') from ve
      where node_id = p_id and deleted_at is null;
  end if;
  perform audit_add(who.email, 'node.' || p_action, null, null, jsonb_build_object('node', p_id));
  return jsonb_build_object('id', p_id, 'state', n.state);
end
$$;
