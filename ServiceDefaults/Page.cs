namespace Shop.ServiceDefaults;

/// <summary>A page of a list that is read with <c>limit</c> and <c>after</c>.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="Next">To be sent as <c>after</c> for the next page; null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Reads lists by the page: one item more than asked for tells whether another page follows.</summary>
/// <example><code>
/// errors.CheckLimit(limit, MaxLimit);
/// var found = await orders.Where(order => order.Id &lt; after).OrderByDescending(order => order.Id).Take(limit + 1).ToListAsync(cancellationToken);
/// return TypedResults.Ok(found.ToPage(limit, order => order.Id.ToString(), OrderView.Of));
/// </code></example>
public static class Paging
{
    /// <summary>Notes what is wrong with <c>limit</c>.</summary>
    /// <param name="errors">Where it is noted.</param>
    /// <param name="limit">The items that a page may have.</param>
    /// <param name="most">The most that may be asked for.</param>
    public static void CheckLimit(this ValidationErrors errors, int limit, int most)
    {
        if (limit < 1 || limit > most)
            errors.Add("limit", $"Must be 1 to {most}.");
    }

    /// <summary>The page of what was found.</summary>
    /// <param name="found">Up to <paramref name="limit"/> items, and one more where there is another page.</param>
    /// <param name="limit">The items that a page may have.</param>
    /// <param name="cursor">Where the page after an item begins: its value for <c>after</c>.</param>
    public static Page<T> ToPage<T>(this List<T> found, int limit, Func<T, string> cursor) => found.ToPage(limit, cursor, item => item);

    /// <summary>The page of what was found, as it is shown.</summary>
    /// <param name="found">Up to <paramref name="limit"/> items, and one more where there is another page.</param>
    /// <param name="limit">The items that a page may have.</param>
    /// <param name="cursor">Where the page after an item begins: its value for <c>after</c>.</param>
    /// <param name="view">What is shown of an item.</param>
    public static Page<TView> ToPage<T, TView>(this List<T> found, int limit, Func<T, string> cursor, Func<T, TView> view) =>
        new([.. found.Take(limit).Select(view)], found.Count > limit ? cursor(found[limit - 1]) : null);
}
