-- SPDX-License-Identifier: Apache-2.0
-- The trial starts again from now.
create or replace function ve.ve_extend(p_token bytea, p_veid integer) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v ve;
  who record;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  update ve set expires_at = now() + p.life, warned_at = null, expired_at = null
    from plan p where p.name = ve.plan and veid = p_veid
    returning ve.* into v;
  perform audit_add(who.email, 've.extend', v.subscriber_id, p_veid);
  return ve_json(v);
end
$$;
