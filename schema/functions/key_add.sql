-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.key_add(p_token bytea, p_kind text, p_blob text,
  p_fingerprint text, p_comment text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  k bigint;
begin
  select * into who from session_require(p_token);
  perform from subscriber where id = who.subscriber_id for update;
  if (select count(*) from ssh_key where subscriber_id = who.subscriber_id) >= 20 then
    raise exception using errcode = 'VE013', message = 'twenty ssh keys are the limit';
  end if;
  insert into ssh_key (subscriber_id, kind, blob, fingerprint, comment)
    values (who.subscriber_id, p_kind, p_blob, p_fingerprint, p_comment)
    returning id into k;
  perform audit_add(who.email, 'key.add', who.subscriber_id, null,
    jsonb_build_object('fingerprint', p_fingerprint));
  return jsonb_build_object('id', k, 'fingerprint', p_fingerprint);
exception when unique_violation then
  raise exception using errcode = 'VE012', message = 'this ssh key is in use already';
end
$$;
