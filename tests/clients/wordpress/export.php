<?php
// The export of WordPress' own tool, as its page in the administration gives it.
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/export.php';
export_wp( array( 'content' => 'all' ) );
