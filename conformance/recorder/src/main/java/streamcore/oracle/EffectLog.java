package streamcore.oracle;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What `peek` and `foreach` saw, in order. */
final class EffectLog {
    private final List<Map<String, Object>> effects = new ArrayList<>();
    private int stimulus = -1;
    private int sizeBefore;

    void begin(final int stimulus) {
        this.stimulus = stimulus;
        sizeBefore = effects.size();
    }

    void add(final Object id, final Object key, final Object value) {
        final Map<String, Object> effect = new LinkedHashMap<>();
        effect.put("after", stimulus);
        effect.put("id", id);
        effect.put("key", JsonValues.json(key));
        effect.put("value", JsonValues.json(value));
        effects.add(effect);
    }

    /** Of a failed stimulus nothing is recorded. */
    void forgetCurrent() {
        effects.subList(sizeBefore, effects.size()).clear();
    }

    boolean isEmpty() {
        return effects.isEmpty();
    }

    List<Map<String, Object>> all() {
        return effects;
    }
}
