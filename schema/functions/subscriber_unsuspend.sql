-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.subscriber_unsuspend(p_token bytea, p_subscriber bigint)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v integer;
begin
  select * into who from session_require(p_token, true);
  update subscriber set suspended_at = null, suspended_why = null
    where id = p_subscriber and role = 'subscriber';
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such subscriber';
  end if;
  update ve set suspended = false where subscriber_id = p_subscriber and deleted_at is null
    and suspended returning veid into v;
  if v is not null and exists (select from ve join node n on n.id = node_id
      where veid = v and desired <> 'deleted' and n.state <> 'revoked') then
    perform job_add(v, 'unsuspend', true);
  end if;
  perform audit_add(who.email, 'subscriber.unsuspend', p_subscriber, v);
  return jsonb_build_object('subscriber', p_subscriber, 'suspended', false);
end
$$;
