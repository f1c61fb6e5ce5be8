<?php
/**
 * Plugin Name: copydesk for Akismet
 * Description: Sends what the Akismet plugin asks to a copydesk server of your own. No comment leaves for akismet.com.
 * License: the same as copydesk
 *
 * Copy this file into wp-content/mu-plugins/ and leave the Akismet plugin as it is. Settings stand in wp-config.php:
 *
 *     define( 'COPYDESK_URL', 'http://127.0.0.1:8417' );  // where `copydesk serve` listens
 *     define( 'COPYDESK_KEY', '0123456789ab' );           // what `copydesk serve keys add NAME` printed
 *
 * Without COPYDESK_KEY the key of the Akismet plugin's own settings page is used. Without COPYDESK_URL every request to
 * akismet.com fails at once: a forgotten setting must not send comments away.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

/** Takes over requests to rest.akismet.com and <key>.rest.akismet.com; all others go their way. */
function copydesk_request( $answer, $arguments, $url ) {
	$host = strtolower( (string) wp_parse_url( $url, PHP_URL_HOST ) );
	if ( 'rest.akismet.com' !== $host && '.rest.akismet.com' !== substr( $host, -17 ) ) {
		return $answer;
	}
	if ( ! defined( 'COPYDESK_URL' ) ) {
		return new WP_Error( 'copydesk_url', 'COPYDESK_URL is not set in wp-config.php.' );
	}
	$path  = (string) wp_parse_url( $url, PHP_URL_PATH );
	$query = (string) wp_parse_url( $url, PHP_URL_QUERY );
	// Of the host that was meant; a server behind a proxy is found by its own name.
	unset( $arguments['headers']['Host'] );
	return wp_remote_request( untrailingslashit( COPYDESK_URL ) . $path . ( '' === $query ? '' : "?$query" ), $arguments );
}
add_filter( 'pre_http_request', 'copydesk_request', 10, 3 );

if ( defined( 'COPYDESK_KEY' ) ) {
	add_filter(
		'akismet_get_api_key',
		function () {
			return COPYDESK_KEY;
		}
	);
}

/** Keeps the score and the reason of the last check until WordPress has given the comment its number. */
function copydesk_remember( $response ) {
	$headers = is_array( $response ) && isset( $response[0] ) ? $response[0] : array();
	$GLOBALS['copydesk_verdict'] = array(
		'score'  => isset( $headers['x-copydesk-score'] ) ? (string) $headers['x-copydesk-score'] : '',
		'reason' => isset( $headers['x-copydesk-reason'] ) ? (string) $headers['x-copydesk-reason'] : '',
	);
}
add_action( 'akismet_comment_check_response', 'copydesk_remember' );

function copydesk_store( $comment_id ) {
	if ( ! empty( $GLOBALS['copydesk_verdict']['score'] ) ) {
		add_comment_meta( $comment_id, 'copydesk_verdict', $GLOBALS['copydesk_verdict'], true );
	}
	unset( $GLOBALS['copydesk_verdict'] );
}
add_action( 'wp_insert_comment', 'copydesk_store' );

/** A column in the list of comments: how much of spam, and why. */
function copydesk_columns( $columns ) {
	$columns['copydesk'] = 'copydesk';
	return $columns;
}
add_filter( 'manage_edit-comments_columns', 'copydesk_columns' );

function copydesk_column( $column, $comment_id ) {
	$verdict = 'copydesk' === $column ? get_comment_meta( $comment_id, 'copydesk_verdict', true ) : '';
	if ( is_array( $verdict ) ) {
		echo esc_html( trim( $verdict['score'] . ' ' . $verdict['reason'] ) );
	}
}
add_action( 'manage_comments_custom_column', 'copydesk_column', 10, 2 );
