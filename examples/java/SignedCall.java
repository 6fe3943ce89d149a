import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The similarity of two pictures; with one file, its vector. For APIGatewayAuthorization=AWS_IAM. Java 17.
 * Signs with AWS Signature Version 4 and the JDK alone. A program that already has the AWS SDK for Java 2
 * takes its AwsV4HttpSigner instead. Credentials come from AWS_ACCESS_KEY_ID and so on.
 */
public class SignedCall {
    static final String URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
    static final String REGION = "us-east-1";
    static final List<String> FILES = List.of("cat.jpg", "other.jpg");

    public static void main(String[] arguments) throws Exception {
        String body = FILES.size() == 1
            ? String.format("{\"img\": \"%s\"}", encode(FILES.get(0)))
            : String.format("{\"img_1\": \"%s\", \"img_2\": \"%s\"}", encode(FILES.get(0)), encode(FILES.get(1)));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(URL))
            .POST(HttpRequest.BodyPublishers.ofString(body));
        sign(URI.create(URL), body).forEach(request::header);
        HttpResponse<String> response =
            HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(response.body());
        System.exit(response.statusCode() == 200 ? 0 : 1);
    }

    static String encode(String file) throws Exception {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(file)));
    }

    /** The headers of a signed POST. docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
    static Map<String, String> sign(URI uri, String body) throws Exception {
        String time = ZonedDateTime.now(ZoneOffset.UTC).format(DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'"));
        String date = time.substring(0, 8);
        String scope = date + "/" + REGION + "/execute-api/aws4_request";
        TreeMap<String, String> headers = new TreeMap<>(Map.of(
            "content-type", "application/json", "host", uri.getAuthority(), "x-amz-date", time));
        String token = System.getenv("AWS_SESSION_TOKEN");
        if (token != null) {
            headers.put("x-amz-security-token", token);
        }
        StringBuilder lines = new StringBuilder();
        headers.forEach((name, value) -> lines.append(name).append(':').append(value).append('\n'));
        String names = String.join(";", headers.keySet());
        String canonical = "POST\n" + uri.getRawPath() + "\n\n" + lines + "\n" + names + "\n" + sha256(body);
        byte[] key = ("AWS4" + System.getenv("AWS_SECRET_ACCESS_KEY")).getBytes(StandardCharsets.UTF_8);
        for (String part : List.of(date, REGION, "execute-api", "aws4_request")) {
            key = hmac(key, part);
        }
        String toSign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(canonical);
        headers.put("Authorization", "AWS4-HMAC-SHA256 Credential=" + System.getenv("AWS_ACCESS_KEY_ID") + "/" + scope
            + ", SignedHeaders=" + names + ", Signature=" + HexFormat.of().formatHex(hmac(key, toSign)));
        headers.remove("host"); // HttpClient sets it itself
        return headers;
    }

    static String sha256(String text) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    static byte[] hmac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
