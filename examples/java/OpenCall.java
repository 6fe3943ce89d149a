import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** The similarity of two pictures; with one file, its vector. For APIGatewayAuthorization=NONE. Java 11. */
public class OpenCall {
    static final String URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
    static final List<String> FILES = List.of("cat.jpg", "other.jpg");

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String body = FILES.size() == 1
            ? String.format("{\"img\": \"%s\"}", encode(FILES.get(0)))
            : String.format("{\"img_1\": \"%s\", \"img_2\": \"%s\"}", encode(FILES.get(0)), encode(FILES.get(1)));
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
