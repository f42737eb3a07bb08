-- SPDX-License-Identifier: Apache-2.0
-- A link from a letter, once.  The VE gets the plan of confirmed people.
create or replace function ve.account_confirm(p_confirmation bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  c confirmation;
  p subscriber;
  v integer;
begin
  delete from confirmation where token_hash = p_confirmation returning * into c;
  if c.token_hash is null or c.expires_at <= now() then
    raise exception using errcode = 'VE021',
      message = 'this link has been used, or it is too old: ask for another on your page';
  end if;
  delete from confirmation where subscriber_id = c.subscriber_id;
  update subscriber set confirmed_at = coalesce(confirmed_at, now()) where id = c.subscriber_id
    returning * into p;
  update ve set plan = 'confirmed', generation = generation + 1, warned_at = null, expired_at = null,
      expires_at = greatest(expires_at, now() + l.life)
    from plan l where l.name = 'confirmed' and subscriber_id = p.id and plan = 'trial'
      and deleted_at is null and desired <> 'deleted'
    returning veid into v;
  if v is not null and not exists (select from job where veid = v and state in ('queued', 'running')) then
    perform job_add(v, 'apply');
  end if;
  perform audit_add(p.email, 'account.confirm', p.id, v);
  return jsonb_build_object('email', p.email, 'confirmed', true);
end
$$;
