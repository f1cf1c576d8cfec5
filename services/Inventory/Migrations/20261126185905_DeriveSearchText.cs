using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Inventory.Migrations;

/// <summary>The text that is searched is derived by the database, from whichever writer a product comes.</summary>
public partial class DeriveSearchText : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        -- Composed and decomposed letters, cases and accents are one. ICU's collation knows every letter's cases, whatever the cluster's locale; by
        -- way of the upper case ß is ss, as people write it. What Unicode does not take apart (ø, ł) is named, and final sigma is a sigma.
        CREATE FUNCTION searchable(input text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN translate(
          lower(upper(regexp_replace(normalize(input, NFKD), '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g') COLLATE "und-x-icu")),
          'ςøđłħŧ', 'σodlht');

        ALTER TABLE products DROP COLUMN search_text;
        ALTER TABLE products ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (searchable(sku || E'\n' || name || E'\n' || description)) STORED;
        """);
}
