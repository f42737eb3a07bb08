-- SPDX-License-Identifier: Apache-2.0
-- Of an environment whose node is revoked nothing is left but its record, which
-- its subscriber may delete to open another.
create or replace function ve.ve_lose(v ve.ve, p_actor text, p_action text) returns jsonb
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  if p_action <> 'delete' then
    raise exception using errcode = 'VE023',
      message = 'the node of this environment is lost, and the environment with it: delete it and open another';
  end if;
  update ve set desired = 'deleted', deleted_at = now(), state = 'absent', state_ipv4 = null,
    generation = generation + 1 where veid = v.veid;
  update node set placed = placed - 1 where id = v.node_id;
  perform audit_add(p_actor, 've.delete', v.subscriber_id, v.veid);
  return jsonb_build_object('veid', v.veid, 'action', p_action);
end
$$;
