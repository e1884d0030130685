package streamcore.oracle;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads scenarios from standard input, one a line, and answers each with one line: the scenario with its `expected`,
 * or, if it cannot be recorded, `{"id", "recorderFailure"}`. The argument is a folder for the state of stores.
 */
public final class Recorder {
    /** Escaped, since half a surrogate pair, which a scenario's functions may cut off, has no UTF-8. */
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private Recorder() {}

    public static void main(final String[] arguments) throws IOException {
        final Path stateRoot = Path.of(arguments[0]);
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        final PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        int count = 0;
        for (String line; (line = in.readLine()) != null; ) {
            if (line.isBlank()) continue;
            out.println(JSON.writeValueAsString(answer(line, stateRoot.resolve("scenario-" + count++))));
            out.flush();
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> answer(final String line, final Path stateDir) throws IOException {
        final Map<String, Object> scenario = JSON.readValue(line, LinkedHashMap.class);
        Budget.begin();
        try {
            return new ScenarioRun(scenario, stateDir).record();
        } catch (final RuntimeException | Error e) {
            final Map<String, Object> failure = new LinkedHashMap<>();
            failure.put("id", scenario.get("id"));
            failure.put("recorderFailure", e.toString());
            return failure;
        }
    }
}
