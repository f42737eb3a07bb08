-- SPDX-License-Identifier: Apache-2.0
-- A grant: the word with which a stream opens one VE on one node, once, within
-- a minute.  The only reader of nodes' grant keys.
create or replace function ve.grant_make(v ve.ve, p_sub text, p_kind text) returns jsonb
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  n node;
  payload bytea;
begin
  if p_kind not in ('tty', 'exec', 'port') then
    raise exception using errcode = 'VE017', message = 'a stream is of kind tty, exec or port';
  end if;
  if v.suspended then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if v.desired = 'deleted' or v.deleted_at is not null then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.expires_at <= now() then
    raise exception using errcode = 'VE008', message = 'the trial is over: extend it first';
  end if;
  if v.desired = 'stopped' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  select * into n from node where id = v.node_id;
  if n.state = 'revoked' then
    raise exception using errcode = 'VE023', message = 'the node of this environment is lost, and the environment with it';
  end if;
  -- who comes in takes back a sleep that was asked for and has not begun
  update job set state = 'superseded', finished_at = now()
    where veid = v.veid and kind = 'idle' and state = 'queued';
  payload := convert_to((jsonb_build_object('v', 1, 'veid', v.veid, 'node', n.id,
    'sub', p_sub, 'kind', p_kind, 'exp', extract(epoch from clock_timestamp())::bigint + 60,
    'nonce', encode(gen_random_bytes(16), 'hex'))
    || case p_kind when 'port' then jsonb_build_object('port', v.port) else '{}' end)::text, 'UTF8');
  return jsonb_build_object('node', n.id, 'url', n.url, 'veid', v.veid,
    'grant', base64url(payload) || '.' || base64url(hmac(payload, n.grant_key, 'sha256')));
end
$$;
