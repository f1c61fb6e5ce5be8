<?php
// What the plugin's own code says of keys.
require $argv[1] . '/wp-load.php';
echo Akismet::verify_key( $argv[2] );
