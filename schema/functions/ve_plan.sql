-- SPDX-License-Identifier: Apache-2.0
-- An operator gives a VE another plan; its node hears of it at once.
create or replace function ve.ve_plan(p_token bytea, p_veid integer, p_plan text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token, true);
  v := ve_require(p_token, p_veid);
  if not exists (select from plan where name = p_plan) then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_plan);
  end if;
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  update ve set plan = p_plan, expires_at = greatest(expires_at, now() + p.life), warned_at = null, expired_at = null
    from plan p where p.name = p_plan and veid = p_veid;
  perform plan_apply(array[p_veid]);
  perform audit_add(who.email, 've.plan', v.subscriber_id, p_veid, jsonb_build_object('plan', p_plan));
  select * into v from ve where veid = p_veid;
  return ve_json(v);
end
$$;
