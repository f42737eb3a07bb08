-- SPDX-License-Identifier: Apache-2.0
-- The operator lets a node come: whoever brings the token within the hour is it.
-- A name is used once, so that an old certificate is nobody's.
create or replace function ve.enrolment_make(p_token bytea, p_id text, p_url text,
  p_capacity integer, p_enrolment bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
begin
  select * into who from session_require(p_token, true);
  if exists (select from node where id = p_id or url = p_url) then
    raise exception using errcode = 'VE018',
      message = 'there is, or was, a node of this name or address; a revoked node''s name is never used again';
  end if;
  delete from enrolment where node_id = p_id or expires_at <= now();
  if exists (select from enrolment where url = p_url and error is null) then
    raise exception using errcode = 'VE018',
      message = 'another node of this address has been given a token, which is good for an hour';
  end if;
  insert into enrolment (token_hash, node_id, url, capacity, made_by)
    values (p_enrolment, p_id, p_url, p_capacity, who.email);
  perform audit_add(who.email, 'node.invite', null, null,
    jsonb_build_object('node', p_id, 'url', p_url, 'capacity', p_capacity));
  return jsonb_build_object('id', p_id, 'seconds', 3600);
exception
  when check_violation then
    raise exception using errcode = 'VE017', message = 'name, address or capacity of the node is not valid';
end
$$;
