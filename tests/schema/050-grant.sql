-- SPDX-License-Identifier: Apache-2.0
-- Who opens a terminal: a live session its own VE; a key its own VE; a ticket once.
select plan(24);
create function pg_temp.payload(g jsonb) returns jsonb language sql as $$
  select convert_from(decode(rpad(translate(split_part(g ->> 'grant', '.', 1), '-_', '+/'),
    (length(split_part(g ->> 'grant', '.', 1)) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb $$;
create temp table g as select terminal_grant(pg_temp.h('ann'), pg_temp.veid('ann'), 'tty') as g;
select is((select pg_temp.payload(g) ->> 'veid' from g)::int, pg_temp.veid('ann'), 'a grant names the VE');
select is((select pg_temp.payload(g) ->> 'node' from g), 'n1', 'the node');
select matches((select pg_temp.payload(g) ->> 'sub' from g), '^s:\d+$', 'the session');
select matches((select pg_temp.payload(g) ->> 'nonce' from g), '^[0-9a-f]{32}$', 'and a nonce');
select is((select split_part(g ->> 'grant', '.', 2) from g),
  (select base64url(hmac(decode(rpad(translate(split_part(g ->> 'grant', '.', 1), '-_', '+/'),
    (length(split_part(g ->> 'grant', '.', 1)) + 3) / 4 * 4, '='), 'base64'),
    decode(repeat('ab', 32), 'hex'), 'sha256')) from g), 'under the node''s key');
select throws_ok(format('select terminal_grant(pg_temp.h(''op''), %s, ''tty'')', pg_temp.veid('ann')), 'VE005', null,
  'an operator does not look over a shoulder');
select pg_temp.signup('bob', 'bob');
select throws_ok(format('select terminal_grant(pg_temp.h(''bob''), %s, ''tty'')', pg_temp.veid('ann')), 'VE005', null,
  'nor does a neighbour');
select throws_ok(format('select terminal_grant(pg_temp.h(''ann''), %s, ''vnc'')', pg_temp.veid('ann')), 'VE017', null, 'tty or exec');
select throws_ok(format('select ticket_create(pg_temp.h(''ann''), %s, pg_temp.h(''t0''))', pg_temp.veid('ann')), 'VE006', null,
  'there is no ticket for what nobody has begun to make');
select pg_temp.work() from generate_series(1, 2);
select ticket_create(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t1'));
select is(ticket_redeem(pg_temp.h('bob'), pg_temp.veid('ann'), pg_temp.h('t1')), '{"refused": true}', 'a stolen ticket opens nothing');
select is(ticket_redeem(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t1')), '{"refused": true}', 'and is spent');
select ticket_create(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t2'));
select ok(ticket_redeem(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t2')) ? 'grant', 'a good one opens');
select is(ticket_redeem(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t2')), '{"refused": true}', 'once');
select ticket_create(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t3'));
update ticket set expires_at = now();
select is(ticket_redeem(pg_temp.h('ann'), pg_temp.veid('ann'), pg_temp.h('t3')), '{"refused": true}', 'and not late');
select is(key_lookup('SHA256:' || repeat('a', 43)), null, 'an unknown key opens nothing');
select key_add(pg_temp.h('ann'), 'ssh-ed25519', repeat('A', 68), 'SHA256:' || repeat('a', 43), 'laptop');
select is((key_lookup('SHA256:' || repeat('a', 43)) ->> 'veid')::int, pg_temp.veid('ann'), 'a key finds its VE');
select throws_ok($$select key_add(pg_temp.h('bob'), 'ssh-ed25519', repeat('A', 68), 'SHA256:' || repeat('a', 43), '')$$,
  'VE012', null, 'a key belongs to one person');
select ok(gateway_grant('SHA256:' || repeat('a', 43), pg_temp.veid('ann'), 'exec') ? 'grant', 'and opens it');
select throws_ok(format('select gateway_grant(%L, %s, ''tty'')', 'SHA256:' || repeat('a', 43), pg_temp.veid('bob')), 'VE005', null,
  'and no other');
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'stop');
select pg_temp.work();
select throws_ok(format('select ticket_create(pg_temp.h(''ann''), %s, pg_temp.h(''t9''))', pg_temp.veid('ann')), 'VE020', null,
  'a page does not wake what was stopped');
select ok(gateway_grant('SHA256:' || repeat('a', 43), pg_temp.veid('ann'), 'tty') ? 'grant', 'ssh does');
select is(pg_temp.work(), 'start', 'by a job');
select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('ann'), 'x');
select is(key_lookup('SHA256:' || repeat('a', 43)), null, 'after a suspension a key opens nothing');
select throws_ok(format('select gateway_grant(%L, %s, ''tty'')', 'SHA256:' || repeat('a', 43), pg_temp.veid('ann')), 'VE005', null,
  'nor does a grant come');
