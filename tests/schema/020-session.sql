-- SPDX-License-Identifier: Apache-2.0
-- Sessions end, and everybody hears of it.
select plan(17);
select is(account_lookup('ann@example.net', '192.0.2.9') ->> 'password_hash', pg_temp.pw(), 'a password can be checked');
select is(account_lookup('nobody@example.net', '192.0.2.9'), '{"limited": false}', 'of nobody there is none');
update rate_rule set most = 2 where kind = 'login_account';
select is(account_lookup('nobody@example.net', '192.0.2.9') ->> 'limited', 'false', 'nobody may try twice');
select is(account_lookup('nobody@example.net', '192.0.2.9') ->> 'limited', 'true', 'and is limited like anybody');
select is(session_get(pg_temp.h('stranger')), null, 'a stranger has no session');
select throws_ok($$select home_get(pg_temp.h('stranger'))$$, 'VE010', null, 'nor a page');
select session_end(pg_temp.h('ann'));
select is(session_get(pg_temp.h('ann')), null, 'a session ends at log-out');
select lives_ok($$select account_login(pg_temp.sub('ann'), '192.0.2.9', pg_temp.h('ann2'))$$, 'and another begins');
update session set expires_at = now() where token_hash = pg_temp.h('ann2');
select is(session_get(pg_temp.h('ann2')), null, 'a session ends when it is old');
select account_login(pg_temp.sub('ann'), '192.0.2.9', pg_temp.h('ann3'));
update session set seen_at = now() - interval '25 hours' where token_hash = pg_temp.h('ann3');
select is(session_get(pg_temp.h('ann3')), null, 'and when it was idle for a day');
select account_login(pg_temp.sub('ann'), '192.0.2.9', pg_temp.h('ann4'));
select throws_ok($$select subscriber_suspend(pg_temp.h('ann4'), pg_temp.sub('ann'), 'no')$$, 'VE011', null,
  'a subscriber suspends nobody');
select lives_ok($$select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('ann'), 'mining')$$, 'an operator does');
select is(session_get(pg_temp.h('ann4')), null, 'which ends the sessions');
select throws_ok($$select account_login(pg_temp.sub('ann'), '192.0.2.9', pg_temp.h('a5'))$$, 'VE007',
  'this account is suspended: mining', 'and a log-in says why');
select is((select kind::text from job where state = 'queued'), 'suspend', 'the node will be told, before anything else');
select throws_ok($$select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('op'), 'x')$$, 'VE014', null, 'no operator is suspended');
select subscriber_unsuspend(pg_temp.h('op'), pg_temp.sub('ann'));
select lives_ok($$select account_login(pg_temp.sub('ann'), '192.0.2.9', pg_temp.h('a6'))$$, 'a suspension is lifted');
