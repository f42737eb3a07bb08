-- SPDX-License-Identifier: Apache-2.0
-- Ends whatever this person has open, everywhere, at once: every portal hears of
-- it, and the job daemon tells the node.
create or replace function ve.subscriber_suspend(p_token bytea, p_subscriber bigint, p_why text)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  p subscriber;
  v integer;
begin
  select * into who from session_require(p_token, true);
  select * into p from subscriber where id = p_subscriber and role = 'subscriber' for update;
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such subscriber';
  end if;
  update subscriber set suspended_at = coalesce(suspended_at, now()), suspended_why = p_why
    where id = p.id;
  update ve set suspended = true where subscriber_id = p.id and deleted_at is null
    returning veid into v;
  if v is not null then
    perform pg_notify('ve_end', 've ' || v || ' suspended');
    if exists (select from ve join node n on n.id = node_id
        where veid = v and desired <> 'deleted' and n.state <> 'revoked') then
      perform job_add(v, 'suspend', true);
    end if;
  end if;
  with ended as (
    update session set ended_at = now() where subscriber_id = p.id and ended_at is null
      returning id)
  select count(pg_notify('ve_end', 'session ' || id)) from ended into p.id;
  perform audit_add(who.email, 'subscriber.suspend', p_subscriber, v,
    jsonb_build_object('why', p_why));
  return jsonb_build_object('subscriber', p_subscriber, 'suspended', true);
end
$$;
