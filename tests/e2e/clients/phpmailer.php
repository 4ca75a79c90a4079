<?php
// usage: php phpmailer.php JSON; PHPMailer writes the message itself, as a CMS lets it.
require '/usr/share/php/libphp-phpmailer/autoload.php';
$o = json_decode($argv[1], true);
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = '127.0.0.1';
$mail->Port = $o['port'];
$mail->SMTPSecure = $o['secure'] ? 'ssl' : 'tls';
$mail->SMTPAuth = true;
$mail->AuthType = $o['method'];
$mail->Username = $o['user'];
$mail->Password = $o['pass'];
$mail->SMTPOptions = ['ssl' => ['cafile' => $o['ca']]];
$mail->setFrom($o['from'], 'The shop');
$mail->addAddress($o['to']);
$mail->Subject = $o['subject'];
$mail->CharSet = 'utf-8';
$mail->isHTML(true);
$mail->Body = '<p>Grüße from PHPMailer</p>';
$mail->AltBody = 'Grüße from PHPMailer';
$mail->addStringAttachment(str_repeat("\x00\xff\r\n.", 1000), 'data.bin');
try {
    $mail->send();
    echo $mail->getSMTPInstance()->getLastReply();
} catch (Exception $e) {
    fwrite(STDERR, $mail->ErrorInfo);
    exit(1);
}
