-- SPDX-License-Identifier: Apache-2.0
-- The node fetches what was signed, and its grant key, this once.
create or replace function ve.enrolment_take(p_enrolment bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  e enrolment;
begin
  select * into e from enrolment where token_hash = p_enrolment and expires_at > now() for update;
  if not found then
    raise exception using errcode = 'VE021',
      message = 'this token is not known, too old, or used already: ask the operator for another';
  end if;
  if e.error is not null then
    return jsonb_build_object('node', e.node_id, 'state', 'refused', 'error', e.error);
  elsif e.certificate is null then
    return jsonb_build_object('node', e.node_id, 'state', 'waiting');
  end if;
  delete from enrolment where id = e.id;
  return (select jsonb_build_object('node', n.id, 'state', 'signed', 'certificate', e.certificate,
    'grant_key', encode(n.grant_key, 'hex')) from node n where n.id = e.node_id);
end
$$;
