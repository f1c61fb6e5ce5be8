<?php
/**
 * Takes the verdicts of `copydesk filter --mark` on an export of this blog:
 *
 *     copydesk filter export.sql --mark verdicts.jsonl
 *     php apply.php FOLDER-OF-WORDPRESS verdicts.jsonl
 *
 * Comments found to be spam go into WordPress' spam folder, where they can be read and taken back. Nothing is deleted, and a comment
 * in the trash stays there. With --both, those in the spam folder that were found genuine are held for moderation.
 * License: the same as copydesk.
 */

if ( 'cli' !== PHP_SAPI || $argc < 3 ) {
	exit( "usage: php apply.php FOLDER-OF-WORDPRESS VERDICTS.jsonl [--both]\n" );
}
require $argv[1] . '/wp-load.php';

$lines = fopen( $argv[2], 'r' );
if ( false === $lines ) {
	exit( 1 );
}
$both    = in_array( '--both', $argv, true );
$changed = 0;
$missing = 0;
while ( false !== ( $line = fgets( $lines ) ) ) {
	$row     = json_decode( $line, true );
	$number  = is_array( $row ) ? ( $row['comment_id'] ?? $row['id'] ?? null ) : null;
	$comment = null === $number || ! isset( $row['spam'] ) ? null : get_comment( (int) $number );
	if ( null === $comment ) {
		++$missing;
		continue;
	}
	if ( $row['spam'] && in_array( $comment->comment_approved, array( '0', '1' ), true ) ) {
		$changed += (int) wp_spam_comment( $comment );
	} elseif ( ! $row['spam'] && $both && 'spam' === $comment->comment_approved ) {
		$changed += (int) wp_set_comment_status( $comment->comment_ID, 'hold' );
	}
}
echo "$changed comments changed, $missing records without a comment here\n";
exit( $missing > 0 ? 1 : 0 );
