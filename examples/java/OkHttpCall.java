import java.io.IOException;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** The vector of a picture on the web or in S3, with OkHttp. For APIGatewayAuthorization=NONE. */
public class OkHttpCall {
    static final String URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";

    public static void main(String[] arguments) throws IOException {
        OkHttpClient client = new OkHttpClient().newBuilder().build();
        MediaType mediaType = MediaType.parse("application/json");
        RequestBody body = RequestBody.create(mediaType, "{\n  \"url\":\"Image URL address\"\n}");
        Request request = new Request.Builder()
            .url(URL)
            .method("POST", body)
            .addHeader("Content-Type", "application/json")
            .build();
        try (Response response = client.newCall(request).execute()) {
            System.out.println(response.body().string());
            System.exit(response.isSuccessful() ? 0 : 1);
        }
    }
}
