import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** The vectors of many pictures in one request. For APIGatewayAuthorization=NONE. Java 11. */
public class BatchOpenCall {
    static final String URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
    static final List<String> FILES = List.of("cat.jpg", "other.jpg");

    public static void main(String[] arguments) throws IOException, InterruptedException {
        List<String> images = new ArrayList<>();
        for (String file : FILES) {
            images.add(String.format("{\"img\": \"%s\"}", encode(file)));
        }
        String body = String.format("{\"images\": [%s]}", String.join(", ", images));
        HttpRequest request = HttpRequest.newBuilder(URI.create(URL))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> response =
            HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.body());
        System.exit(response.statusCode() == 200 ? 0 : 1);
    }

    static String encode(String file) throws IOException {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(file)));
    }
}
