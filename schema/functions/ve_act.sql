-- SPDX-License-Identifier: Apache-2.0
-- start, stop, restart, reinstall, delete, wake, idle (sleep now), stay (awake): what the subscriber (or the operator)
-- asks of a VE becomes its desired state and one job.
create or replace function ve.ve_act(p_token bytea, p_veid integer, p_action text)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v ve;
  who record;
  j bigint;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if p_action not in ('start', 'stop', 'restart', 'reinstall', 'delete', 'wake', 'idle', 'stay') then
    raise exception using errcode = 'VE017', message = 'there is no such action';
  end if;
  if exists (select from node where id = v.node_id and state = 'revoked') then
    return ve_lose(v, who.email, p_action);
  end if;
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  if v.suspended and p_action <> 'delete' then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if v.expires_at <= now() and p_action in ('start', 'restart', 'reinstall', 'wake') then
    raise exception using errcode = 'VE008', message = 'the trial is over: extend it first';
  end if;
  if p_action in ('wake', 'idle', 'stay') and v.desired <> 'running' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  update ve set generation = generation + (p_action not in ('wake', 'idle', 'stay'))::integer, state_error = null, desired = case p_action
      when 'stop' then 'stopped' when 'delete' then 'deleted' else 'running' end::ve_desired
    where veid = p_veid;
  j := job_add(p_veid, p_action::job_kind, p_action = 'delete');
  if p_action = 'delete' then
    perform pg_notify('ve_end', 've ' || p_veid || ' gone');
  end if;
  perform audit_add(who.email, 've.' || p_action, v.subscriber_id, p_veid);
  return jsonb_build_object('veid', p_veid, 'job', j, 'action', p_action);
end
$$;
