-- SPDX-License-Identifier: Apache-2.0
-- One press: whatever was about to happen to this VE is put off.  What runs stays
-- awake, the step after sleep or after a stop is as far away as on the first day,
-- and a trial that ends within a day, or has ended, starts again.  The node has to
-- hear of it: a sleep that was asked for is taken back, and a change of its plan
-- comes after (what the node says makes the job anew).  Whatever else is under way
-- begins a day of its own.
create or replace function ve.ve_put_off(v ve.ve, p_actor text) returns jsonb
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  p plan;
begin
  if v.desired = 'deleted' or v.deleted_at is not null then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  if v.suspended then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if exists (select from node where id = v.node_id and state = 'revoked') then
    raise exception using errcode = 'VE023', message = 'the node of this environment is lost, and the environment with it';
  end if;
  select * into p from plan where name = v.plan;
  update ve set frozen_warned = false, stopped_warned = false,
      frozen_at = case when v.state = 'frozen' then now() end,
      stopped_at = case when v.state = 'stopped' then now() end,
      expires_at = case when v.expires_at < now() + interval '1 day' then now() + p.life else v.expires_at end,
      warned_at = case when v.expires_at < now() + interval '1 day' then null else v.warned_at end,
      expired_at = case when v.expires_at < now() + interval '1 day' then null else v.expired_at end
    where veid = v.veid returning * into v;
  if v.state in ('running', 'frozen', 'stopped')
      and not exists (select from job where veid = v.veid and state in ('queued', 'running')
        and kind not in ('apply', 'idle')) then
    perform job_add(v.veid, 'stay', true);
  end if;
  perform audit_add(p_actor, 've.keep', v.subscriber_id, v.veid);
  return ve_json(v);
end
$$;
